// Which keys do what.
import { Dialog } from "@base-ui/react/dialog";
import { useWords } from "../i18n";

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
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="popup dialog" data-testid="key-list">
          <Dialog.Title className="popup-title">{words.keyList}</Dialog.Title>
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
            <Dialog.Close className="button">{words.close}</Dialog.Close>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
