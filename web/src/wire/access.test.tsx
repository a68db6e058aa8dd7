// @vitest-environment jsdom
// The page where the service asks for a key.
import { act, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ask, open, send, settle } from "../testing/page";
import { jsonResponse, LOCAL, problemResponse, replyOf } from "../testing/service";

const KEYS = ["pgask_ada", "pgask_bo"];

/** A service with keys, and the one session that a browser has with it. */
function guarded(key: string | null = null) {
  const refused = (): Response => problemResponse(401, "unauthenticated", { "www-authenticate": "Bearer" });
  const guard = { key, opened: 0, broken: false };
  const told = (): Response => {
    const name = guard.key === "pgask_bo" ? "Bo\u202e" : "Ada";
    return jsonResponse({ ...LOCAL, auth: "keys", name, role: "writer", token: `token-${guard.opened}` });
  };
  const onSession = (method: string, body: string): Response => {
    if (guard.broken) return problemResponse(503, "database_unavailable");
    if (method === "POST") {
      const { key: brought } = JSON.parse(body) as { key: string };
      if (!KEYS.includes(brought)) return refused();
      Object.assign(guard, { key: brought, opened: guard.opened + 1 });
    } else if (method === "DELETE") {
      guard.key = null;
      return new Response(null, { status: 204 });
    }
    return guard.key === null ? refused() : told();
  };
  const page = open({
    onSession,
    onRead: () => (guard.key === null ? refused() : undefined),
    onAsk: ({ token }) => {
      if (guard.key === null) return refused();
      return token === `token-${guard.opened}` ? undefined : problemResponse(403, "forbidden");
    },
  });
  return { ...page, guard };
}

async function logIn(user: ReturnType<typeof open>["user"], key: string): Promise<void> {
  await user.type(await screen.findByTestId("login-key"), `${key}{Enter}`);
}

describe("a service with keys", () => {
  it("asks for one, and its token goes with every question", async () => {
    const { user, answers, requests } = guarded();
    const field = await screen.findByLabelText<HTMLInputElement>("Key");
    expect([field.type, field.autocomplete, document.activeElement]).toEqual(["password", "current-password", field]);
    expect(screen.getByTestId("login-text").textContent).toBe("This service answers people who have a key.");
    expect(screen.getByTestId("login").textContent).toContain("pgask keys create");

    await logIn(user, "  pgask_ada ");
    expect((await screen.findByTestId("account")).textContent).toContain("Adawriter");
    await waitFor(() => expect(screen.getByRole("option", { name: /handbook/ })).toBeTruthy());
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("question-input")));
    await ask(user, "q");
    expect(answers.map(({ token }) => token)).toEqual(["token-1"]);
    await send(answers[0], ["done", replyOf({ answer: "A." })]);
    expect(screen.getByTestId("answer").textContent).toBe("A.");
    expect(requests.filter((line) => line === "POST /session")).toHaveLength(1);
  });

  it("refuses a wrong key in words of both languages, and says when it can't tell", async () => {
    const { user, guard } = guarded();
    await logIn(user, "pgask_wrong");
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("opens nothing here"));
    const field = screen.getByTestId("login-key");
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(field);
    await user.click(screen.getByTestId("language-switch"));
    expect(screen.getByRole("alert").textContent).toContain("这个密钥无法登录");
    guard.broken = true;
    await user.clear(screen.getByTestId("login-key"));
    await logIn(user, "pgask_ada");
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("暂时无法登录"));
    expect(screen.getByRole("alert").textContent).toContain("Title of database_unavailable");
    guard.broken = false;
    await user.click(screen.getByTestId("login-send"));
    expect((await screen.findByTestId("account")).textContent).toContain("Ada编者");
  });

  it("leads back to the login when the key is revoked, and keeps conversations and drafts", async () => {
    const { user, answers, guard } = guarded("pgask_ada");
    await screen.findByTestId("account");
    await ask(user, "first");
    await send(answers.at(-1), ["done", replyOf({ answer: "A." })]);
    guard.key = null;
    await ask(user, "second");
    expect((await screen.findByTestId("login-text")).textContent).toContain("Your session has ended");
    expect(screen.queryByTestId("answer")).toBeNull();

    await logIn(user, "pgask_ada");
    expect((await screen.findByTestId("answer")).textContent).toBe("A.");
    await user.type(screen.getByTestId("question-input"), "a draft");
    await user.click(screen.getByTestId("retry"));
    answers.at(-1)?.send("error", { code: "unauthenticated", status: 401, title: "", detail: "", request_id: "" });
    guard.key = null; // a stream that is open learns of it, too
    await screen.findByTestId("login");
    await logIn(user, "pgask_ada");
    expect((await screen.findByTestId<HTMLTextAreaElement>("question-input")).value).toBe("a draft");
    expect(screen.getAllByRole("heading", { level: 2 }).map((one) => one.textContent)).toEqual(["You: first", "You: second"]);
  });

  it("asks with the new token when another tab has opened a session", async () => {
    const { user, answers, guard } = guarded("pgask_ada");
    await screen.findByTestId("account");
    guard.opened += 1;
    await ask(user, "q");
    await settle();
    expect(answers.map(({ token }) => token)).toEqual(["token-0", "token-1"]);
    await send(answers[1], ["done", replyOf({ answer: "A." })]);
    expect(screen.getByTestId("answer").textContent).toBe("A.");
  });

  it("logs out, stops what runs, and takes another tab's login over", async () => {
    const { user, answers, guard } = guarded("pgask_bo");
    expect((await screen.findByTestId("account")).textContent).toContain("Bo[U+202E]");
    await ask(user, "q");
    guard.broken = true;
    await user.click(screen.getByRole("button", { name: "Log out" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Could not log out");
    guard.broken = false;
    await user.click(screen.getByTestId("log-out"));
    expect((await screen.findByTestId("login-text")).textContent).not.toContain("ended");
    expect(answers.at(-1)?.signal.aborted).toBe(true);
    guard.key = "pgask_bo";
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(await screen.findByTestId("account")).toBeTruthy();
  });
});

describe("a service without keys", () => {
  it("shows nobody's name and asks nothing", async () => {
    const { answers, user } = open();
    expect(screen.getByTestId("question-input")).toBeTruthy(); // before the service has said who reads
    await ask(user, "q");
    expect(answers.map(({ token }) => token)).toEqual([null]);
    expect(screen.queryByTestId("account")).toBeNull();
  });

  it("behind a proxy shows the name alone", async () => {
    open({ onSession: () => jsonResponse({ ...LOCAL, auth: "proxy", name: "Ada" }) });
    expect((await screen.findByTestId("account")).textContent).toBe("Logged in as Ada");
    expect(screen.queryByTestId("log-out")).toBeNull();
  });

  it("that a proxy guards asks for no key where the proxy is missing", async () => {
    open({ onSession: () => problemResponse(401, "unauthenticated") });
    expect((await screen.findByTestId("login")).textContent).toContain("Detail of unauthenticated");
    expect(screen.queryByTestId("login-key")).toBeNull();
  });
});
