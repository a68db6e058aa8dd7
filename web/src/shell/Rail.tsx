// The way to the page's screens: a rail at the left, below 900 px a bar at the bottom.
import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { ActivityIcon, BookIcon, ChatIcon, PulseIcon, SearchIcon } from "../ui/Icons";
import { onPlainClick } from "../ui/links";
import { useSurroundings } from "./context";

export type Screen = "ask" | "search" | "library" | "activity" | "status";

export interface RailProps {
  screen: Screen;
  addresses: Readonly<Record<Screen, string>>;
  /** Work goes on in the background. */
  busy: boolean;
  /** Language, colours and account, where they have no other place. */
  foot?: ReactNode;
}

export function Rail({ screen, addresses, busy, foot }: RailProps) {
  const words = useWords();
  const { go } = useSurroundings();
  const screens: readonly [Screen, string, ReactNode][] = [
    ["ask", words.screenAsk, <ChatIcon key="" />],
    ["search", words.screenSearch, <SearchIcon key="" />],
    ["library", words.screenLibrary, <BookIcon key="" />],
    ["activity", words.screenActivity, <ActivityIcon key="" />],
    ["status", words.screenStatus, <PulseIcon key="" />],
  ];
  return (
    <nav className="rail" aria-label={words.screens}>
      <ul className="rail-screens">
        {screens.map(([name, label, sign]) => (
          <li key={name}>
            <a
              href={addresses[name]}
              className="rail-link"
              data-testid={`nav-${name}`}
              aria-current={name === screen ? "page" : undefined}
              onClick={(event) => onPlainClick(event, () => go(addresses[name]))}
            >
              {sign}
              <span>{label}</span>
              {name === "activity" && busy && <span className="live-dot" role="img" aria-label={words.working} />}
            </a>
          </li>
        ))}
      </ul>
      {foot && <div className="rail-foot">{foot}</div>}
    </nav>
  );
}
