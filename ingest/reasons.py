"""Why a file was not taken in: each reason code with a sentence and a way out, in English and Chinese.

The same tables as docs/reason-codes.md; a test keeps them equal. `DocumentError.code` is always one of REASONS, of
which `duplicate` alone is no failure; what is no document has a code of SKIPPED and is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in words: what is the matter and what to do about it."""

    sentence_en: str
    way_out_en: str
    sentence_zh: str
    way_out_zh: str


REASONS: Mapping[str, Reason] = {
    "unsupported_type": Reason(
        "Files of this type are not read.",
        "Convert the file to PDF, DOCX, PPTX, XLSX, EPUB, HTML, Markdown or text.",
        "不支持这种类型的文件。",
        "请转换为 PDF、DOCX、PPTX、XLSX、EPUB、HTML、Markdown 或纯文本。",
    ),
    "too_large": Reason(
        "The file is over the limit of bytes, pages, pixels, characters or tokens.",
        "Split the file, save its pictures smaller, or raise the limit on bytes.",
        "文件超过了字节数、页数、像素数、字符数或词元数的上限。",
        "请拆分文件、缩小图片，或提高字节数上限。",
    ),
    "unreadable": Reason(
        "The file or folder can't be opened.",
        "Check its permissions and whether a link leads nowhere; then ingest again.",
        "无法打开文件或文件夹。",
        "请检查权限以及链接是否失效，然后重新导入。",
    ),
    "bad_name": Reason(
        "The name of the file or folder is not valid UTF-8, or its path is too long.",
        "Rename it.",
        "文件或文件夹的名称不是有效的 UTF-8，或路径过长。",
        "请重命名。",
    ),
    "other_readers": Reason(
        "The collection has a document of this name that other groups may read.",
        "Send the file with the readers that the document has, or change these before.",
        "集合中已有同名文档，但其读者分组不同。",
        "请按该文档的读者发送文件，或先修改该文档的读者。",
    ),
    "bad_readers": Reason(
        "A .pgask.toml does not say who may read: it is no TOML, or holds something else than readers.",
        'Write one line, such as readers = ["hr", "board"]; until then admins alone read what lies below it.',
        ".pgask.toml 没有写明谁可以阅读：不是有效的 TOML，或包含 readers 以外的内容。",
        '请写成一行，例如 readers = ["hr", "board"]；在此之前其下的文档只有管理员可读。',
    ),
    "outside_root": Reason(
        "A link leads out of the ingested folder.",
        "Copy the file into the folder, or ingest the folder that it lies in.",
        "链接指向被导入文件夹之外。",
        "请把文件复制到该文件夹内，或导入文件所在的文件夹。",
    ),
    "bad_encoding": Reason(
        "The character encoding can't be told.",
        "Save the file as UTF-8.",
        "无法判断字符编码。",
        "请将文件另存为 UTF-8。",
    ),
    "encrypted": Reason(
        "The file asks for a password or is protected against copying.",
        "Save a copy without a password.",
        "文件需要密码才能打开，或带有版权保护。",
        "请另存一份不带密码的副本。",
    ),
    "no_text_layer": Reason(
        "The PDF has pictures of text and no text; it is probably scanned.",
        'Install OCR (pip install "pgask[ocr]", with PGASK_OCR=auto) and ingest again, or run ocrmypdf on it.',
        "PDF 只有图像而没有文字层，可能是扫描件。",
        '请安装文字识别（pip install "pgask[ocr]"，并设置 PGASK_OCR=auto）后重新导入，或使用 ocrmypdf 处理。',
    ),
    "broken_text_layer": Reason(
        "The text of the PDF is not what its pages show: its fonts name their characters wrongly or not at all.",
        'Install OCR (pip install "pgask[ocr]", with PGASK_OCR=auto) and ingest again, or export it anew.',
        "PDF 的文字层与页面显示的内容不符：字体没有给出字符，或给出的字符有误。",
        '请安装文字识别（pip install "pgask[ocr]"，并设置 PGASK_OCR=auto）后重新导入，或重新导出该文件。',
    ),
    "low_confidence": Reason(
        "OCR reads the pages with too little confidence for their text to be kept.",
        "Scan them again: straight, sharp, at 300 dpi, with dark print on light paper.",
        "文字识别对页面内容的把握过低，不予保留。",
        "请重新扫描：摆正、清晰、300 dpi、浅底深字。",
    ),
    "archive_bomb": Reason(
        "The file unpacks to far more than its size, or in a way that no office program writes.",
        "Open it in the program that made it and save it again; split it if it is really that large.",
        "文件解压后远大于其自身大小，或其结构不是任何办公软件所生成的。",
        "请用原来的程序打开并重新保存；如果内容确实很大，请拆分文件。",
    ),
    "parse_failed": Reason(
        "The file is damaged or is not what its name says.",
        "Open it in the program that made it and save it again.",
        "文件已损坏，或内容与扩展名不符。",
        "请用原来的程序打开并重新保存。",
    ),
    "parser_crashed": Reason(
        "The file makes its parser crash.",
        "Open it in the program that made it and save it again, or convert it to another format.",
        "读取该文件时解析程序崩溃。",
        "请用原来的程序打开并重新保存，或转换为其他格式。",
    ),
    "parser_timeout": Reason(
        "Reading the file takes longer than allowed.",
        "Split it, or convert it to a simpler format.",
        "读取该文件的时间超过了上限。",
        "请拆分文件，或转换为更简单的格式。",
    ),
    "parser_memory": Reason(
        "Reading the file takes more memory than allowed.",
        "Split it, or convert it to a simpler format.",
        "读取该文件所需的内存超过了上限。",
        "请拆分文件，或转换为更简单的格式。",
    ),
    "empty": Reason(
        "There is no text in the file.",
        "Nothing to do, unless there should be some: then check the file.",
        "文件中没有文字。",
        "通常无需处理；如果本应有文字，请检查文件。",
    ),
    "name_taken": Reason(
        "A document of this name came in from a folder, and an upload never replaces it.",
        "Send the file into another folder, or change it where it lies and ingest that.",
        "同名文档来自某个文件夹，上传不会替换它。",
        "请上传到其他文件夹，或在原位置修改该文件后重新导入。",
    ),
    "worker_lost": Reason(
        "The worker was killed or lost the database each time that it worked on this.",
        "Try again; split the file if it is large. The worker's log says more.",
        "每次处理该文件时，工作进程都被终止或失去了数据库连接。",
        "请重试；如果文件很大，请拆分。详情见工作进程的日志。",
    ),
    "no_progress": Reason(
        "Nothing of it moved for minutes, and the worker that hung at it was ended.",
        "Try again; split the file if it is large. The worker's log says where it hung.",
        "连续数分钟没有任何进展，处理它的工作进程已被结束。",
        "请重试；如果文件很大，请拆分。工作进程的日志会指出停在何处。",
    ),
    "disk_full": Reason(
        "The disk that holds the database is full.",
        "Free some space and ingest again; what was in stays, and the rest goes in.",
        "数据库所在的磁盘已满。",
        "请释放一些空间后重新导入；已导入的内容保持不变，其余文件会继续导入。",
    ),
    "duplicate": Reason(
        "Another document has the same text, or nearly the same.",
        "Nothing to do: the other one answers. To keep both, set PGASK_DUPLICATES=keep_all and ingest again.",
        "另一个文档的文本与它相同或几乎相同。",
        "无需处理：由另一个文档作答。如需两者都保留，请设置 PGASK_DUPLICATES=keep_all 后重新导入。",
    ),
}


@dataclass(frozen=True, slots=True)
class Skip:
    """A kind of file that is no document: the noun that a summary counts, and a sentence."""

    one: str
    several: str
    sentence_en: str
    sentence_zh: str


SKIPPED: Mapping[str, Skip] = {
    "picture": Skip("picture", "pictures", "A picture has no text to search.", "图片中没有可检索的文字。"),
    "media": Skip(
        "recording", "recordings", "Sound and film have no text to search.", "音频和视频中没有可检索的文字。"
    ),
    "font": Skip("font", "fonts", "A font is no document.", "字体不是文档。"),
    "archive": Skip(
        "archive",
        "archives",
        "Archives are not opened; unpack it to take in what it holds.",
        "不会打开压缩包；如需导入其中的文件，请先解压。",
    ),
    "program": Skip(
        "program", "programs", "A program or a part of one is no document.", "程序文件不是文档。"
    ),
    "temporary": Skip(
        "temporary file",
        "temporary files",
        "A program left it beside a document.",
        "这是程序在文档旁留下的临时文件。",
    ),
    "binary": Skip(
        "binary file",
        "binary files",
        "Its bytes are no text of any known type.",
        "内容不是任何已知类型的文本。",
    ),
    "excluded": Skip(
        "excluded",
        "excluded",
        "An ignore file, --exclude or --include leaves it out.",
        "由忽略文件、--exclude 或 --include 排除。",
    ),
}
