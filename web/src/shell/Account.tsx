// Who is logged in, and the way out. A user whom a proxy names logs out there.
import { useState } from "react";
import { useWords } from "../i18n";
import { visible } from "../text/visible";
import type { Session } from "../wire/decode";
import { LeaveIcon, UserIcon } from "../ui/Icons";

interface Props {
  session: Session;
  /** Rejects where the service could not be told. */
  onLogOut: () => Promise<void>;
}

export function Account({ session, onLogOut }: Props) {
  const words = useWords();
  const [state, setState] = useState<"shown" | "leaving" | "failed">("shown");
  if (session.auth === "off") return null;
  const leave = (): void => {
    setState("leaving");
    onLogOut().then(
      () => undefined, // the login view takes the place of all this
      () => setState("failed"),
    );
  };
  return (
    <div className="account" data-testid="account">
      <UserIcon />
      <p className="account-name">
        <span className="visually-hidden">{words.account} </span>
        <bdi>{visible(session.name)}</bdi>
        {session.auth === "keys" && <span className="account-role">{words.roleName(session.role)}</span>}
      </p>
      {session.auth === "keys" && (
        <button type="button" className="icon-button" data-testid="log-out" aria-label={words.logOut} title={words.logOut} disabled={state === "leaving"} onClick={leave}>
          <LeaveIcon />
        </button>
      )}
      {state === "failed" && (
        <p className="account-failed" role="alert">
          {words.logOutFailed}
        </p>
      )}
    </div>
  );
}
