// Which keys do what.
import { useWords } from "../i18n";
import { Modal } from "../ui/Modal";

export function KeyList({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const keys: readonly [string, string][] = [
    ["/", words.keyFocus],
    ["Ctrl K", words.palette],
    ["Ctrl Shift O", words.newConversation],
    ["Enter", words.keySend],
    ["Shift Enter", words.keyNewLine],
    ["↑", words.keyLast],
    ["Escape", words.keyEscape],
    ["Ctrl Enter", words.askWithThese],
    ["?", words.keyList],
  ];
  return (
    <Modal className="dialog" testId="key-list" title={words.keyList} onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="popup-foot">
        <button type="button" className="button" onClick={onClose}>
          {words.close}
        </button>
      </div>
    </Modal>
  );
}
