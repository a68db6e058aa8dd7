// All parts that the page fetches later, at once: so tests needn't wait for each.
import { arrivals } from "../library/drop";
import { deletions } from "../library/deleting";
import { toaster } from "../ui/toasts";
import { cards } from "../ask/card";
import { MarkCard } from "../ask/AskScreen";
import { FilterPanel } from "../ask/ScopeBar";
import { WhyThese } from "../ask/TurnView";
import { CollectionDialog } from "../library/LibraryScreen";
import { Formula, loadMath } from "../ask/MarkdownBlocks";
import { Typeset } from "../reader/SourcePane";
import * as page from "../shell/Page";

export async function loadLater(): Promise<void> {
  const { SourcePane, SearchScreen, LibraryScreen, ActivityScreen, StatusScreen, Palette, KeyList, SettingsDrawer, Uploads, Toaster } = page;
  await loadMath();
  const parts = [Formula, Typeset, MarkCard, FilterPanel, WhyThese, CollectionDialog, SourcePane, SearchScreen, LibraryScreen, ActivityScreen, StatusScreen, Palette, KeyList, SettingsDrawer, Uploads, Toaster];
  await Promise.all(parts.map((part) => part.preload()));
}

/** What stands outside of React, as it was when the page was opened. */
export function forgetAll(): void {
  cards.hide(0);
  arrivals.wave();
  for (const job of arrivals.getState().jobs) arrivals.forget(job);
  deletions.takeBack([...deletions.getState().values()]);
  for (const { id } of toaster.getState()) toaster.close(id, false);
}
