// The empty conversation: what this is, and something to try that stands in the collection itself.
import { useLanguage, useWords } from "../i18n";
import { addressOf } from "../shell/address";
import type { Collection, DocumentSummary } from "../wire/decode";
import { onPlainClick } from "../ui/links";
import { languageOf } from "../text/script";
import { useStarters } from "./starters";
import { visible } from "../text/visible";
import { DEFAULT_COLLECTION } from "./scope";
import { EmptyCollection } from "../library/EmptyCollection";

interface Props {
  /** The chosen collection; undefined while it isn't known. */
  collection: Collection | undefined;
  /** Whether the service has no collection at all. */
  isNothingThere: boolean;
  onAsk: (question: string) => void;
  onOpenDocument: (document: DocumentSummary) => void;
}

export function Welcome({ collection, isNothingThere, onAsk, onOpenDocument }: Props) {
  const words = useWords();
  const isFilled = collection !== undefined && collection.documents > 0;
  const { questions, documents } = useStarters(collection?.name ?? "", useLanguage(), isFilled);
  return (
    <section className="welcome">
      <h2 className="welcome-title">{words.welcome}</h2>
      <p className="welcome-text">{words.welcomeText}</p>
      {collection !== undefined && collection.description !== "" && (
        <p className="welcome-text" data-testid="described" lang={languageOf(collection.description)}>
          <strong>{visible(collection.name)}</strong>: {visible(collection.description)}
        </p>
      )}
      {(isNothingThere || collection?.documents === 0) && <EmptyCollection name={collection?.name ?? DEFAULT_COLLECTION} />}
      {questions.length > 0 && (
        <>
          <h3 className="welcome-try">{words.tryOne}</h3>
          <ul className="examples">
            {questions.map((question) => (
              <li key={question}>
                <button type="button" className="example" data-testid="example" lang={languageOf(question)} onClick={() => onAsk(question)}>
                  {question}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {questions.length === 0 && documents.length > 0 && (
        <>
          <h3 className="welcome-try">{words.newestDocuments}</h3>
          <ul className="examples">
            {documents.map((document) => (
              <li key={document.id}>
                <a
                  href={addressOf.document(document.id)}
                  className="example"
                  data-testid="newest-document"
                  lang={languageOf(document.title)}
                  onClick={(event) => onPlainClick(event, () => onOpenDocument(document))}
                >
                  {visible(document.title)}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
