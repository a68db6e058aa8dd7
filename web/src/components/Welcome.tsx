// The empty conversation: what this is, and something to try.
import { useWords } from "../i18n";
import type { Collection } from "../decode";
import { languageOf } from "../script";
import { EmptyCollection } from "./EmptyCollection";

interface Props {
  /** The chosen collection; undefined while it isn't known. */
  collection: Collection | undefined;
  onAsk: (question: string) => void;
}

export function Welcome({ collection, onAsk }: Props) {
  const words = useWords();
  return (
    <section className="welcome">
      <h2 className="welcome-title">{words.welcome}</h2>
      <p className="welcome-text">{words.welcomeText}</p>
      {collection?.documents === 0 ? (
        <EmptyCollection name={collection.name} />
      ) : (
        <>
          <h3 className="welcome-try">{words.tryOne}</h3>
          <ul className="examples">
            {words.examples.map((example) => (
              <li key={example}>
                <button type="button" className="example" data-testid="example" lang={languageOf(example)} onClick={() => onAsk(example)}>
                  {example}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
