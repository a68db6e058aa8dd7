// @vitest-environment jsdom
// F-1047: conversations on another machine. Two browsers with storages of their own, and a service that keeps versions.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProblemError } from "../wire/api";
import { newTurn, withTurn, type Turn } from "./conversations";
import { createKeeper, type Keeper } from "./keeping";
import { createStore, type Store } from "./store";

const problem = (status: number, code: string) => new ProblemError({ code, title: "", detail: "", status, request_id: "", retry_after_s: null });

/** What PUT, GET and DELETE of /conversations do. */
class Service {
  stored = new Map<string, { version: number; content: object; updatedAt: number }>();
  puts = 0;
  away = false;
  full = false;
  private clock = 0;

  private reached(): void {
    if (this.away) throw problem(503, "store_unavailable");
  }
  async conversations() {
    this.reached();
    return [...this.stored].map(([id, { version, updatedAt }]) => ({ id, version, updatedAt }));
  }
  async conversation(id: string) {
    this.reached();
    const found = this.stored.get(id);
    if (!found) throw problem(404, "not_found");
    return { version: found.version, content: JSON.parse(JSON.stringify(found.content)) as unknown };
  }
  async keepConversation(id: string, { version, content }: { version: number | null; content: object }) {
    this.reached();
    if (this.full) throw problem(422, "limit_exceeded");
    const found = this.stored.get(id);
    if ((found?.version ?? null) !== version) throw problem(409, "conversation_changed");
    this.puts += 1;
    this.stored.set(id, { version: (version ?? 0) + 1, content: JSON.parse(JSON.stringify(content)) as object, updatedAt: ++this.clock });
    return (version ?? 0) + 1;
  }
  async forgetConversation(id: string) {
    this.reached();
    if (!this.stored.delete(id)) throw problem(404, "not_found");
  }
}

class Memory {
  private items = new Map<string, string>();
  get length() {
    return this.items.size;
  }
  key = (at: number) => [...this.items.keys()][at] ?? null;
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
  clear = () => this.items.clear();
}

interface Machine {
  store: Store;
  keeper: Keeper;
  storage: Storage;
}

const made: Keeper[] = [];

async function machine(service: Service, storage: Storage = new Memory() as Storage, owner = "key 1"): Promise<Machine> {
  const store = createStore(storage);
  store.setOwner("Ada");
  const keeper = createKeeper(service, store, storage, 100);
  made.push(keeper);
  keeper.keepFor(owner, "Ada");
  await rest();
  return { store, keeper, storage };
}

const rest = () => vi.advanceTimersByTimeAsync(500);

function say({ store }: Machine, id: string, question: string, rest: Partial<Turn> = {}): void {
  store.update(id, (conversation) => withTurn(conversation, { ...newTurn(question, question, { askedAt: Date.now() }), status: "done", answer: "A.", ...rest }, Date.now()));
}

const questions = ({ store }: Machine): string[][] => store.getState().conversations.map(({ turns }) => turns.map(({ question }) => question));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const keeper of made.splice(0)) keeper.stop();
  vi.useRealTimers();
});

describe("conversations that the service keeps", () => {
  it("are there on another machine, with their names and later turns, and sent once a change", async () => {
    const service = new Service();
    const one = await machine(service);
    const { id } = one.store.getState().active;
    say(one, id, "first");
    say(one, id, "second", { status: "streaming" });
    await rest();
    expect(service.puts).toBe(0); // what still streams is not sent
    one.store.updateTurn(id, "second", (turn) => ({ ...turn, status: "done" }));
    one.store.rename(id, "Lists");
    await rest();
    expect(service.puts).toBe(1);
    const other = await machine(service);
    expect(questions(other)).toEqual([["first", "second"]]);
    expect(other.store.getState().conversations[0]).toMatchObject({ name: "Lists", owner: "Ada" });
    say(other, id, "third");
    await rest();
    await one.keeper.look();
    expect(questions(one)).toEqual([["first", "second", "third"]]);
    await rest();
    expect(service.puts).toBe(2); // what came is not sent back
  });

  it("lose no turn where two machines go on at once", async () => {
    const service = new Service();
    const one = await machine(service);
    const { id } = one.store.getState().active;
    say(one, id, "first");
    await rest();
    const other = await machine(service);
    say(one, id, "mine");
    say(other, id, "theirs");
    await rest();
    await one.keeper.look();
    await other.keeper.look();
    for (const here of [one, other]) expect(questions(here)[0]?.sort()).toEqual(["first", "mine", "theirs"]);
  });

  it("are deleted on both, also where the service was away; what was gone on with stays", async () => {
    const service = new Service();
    const one = await machine(service);
    const { id } = one.store.getState().active;
    say(one, id, "first");
    await rest();
    const other = await machine(service);
    service.away = true;
    one.store.remove(id);
    one.keeper.forget(id);
    await rest();
    expect(service.stored.size).toBe(1);
    service.away = false;
    await one.keeper.look();
    expect([service.stored.size, questions(one)]).toEqual([0, []]);
    say(other, id, "later");
    await other.keeper.look();
    expect(questions(other)).toEqual([["first", "later"]]);
    await rest();
    await one.keeper.look();
    expect(questions(one)).toEqual([["first", "later"]]);
    service.stored.clear();
    await other.keeper.look();
    expect(questions(other)).toEqual([]);
  });

  it("are sent once the service is back, and after a reload", async () => {
    const service = new Service();
    service.away = true;
    const one = await machine(service);
    say(one, one.store.getState().active.id, "first");
    await rest();
    one.store.flush();
    one.keeper.stop();
    service.away = false;
    await machine(service, one.storage);
    expect(service.stored.size).toBe(1);
  });

  it("of another key with the same name are neither deleted nor mixed up, and another reader's are not sent", async () => {
    const service = new Service();
    const one = await machine(service);
    say(one, one.store.getState().active.id, "first");
    await rest();
    one.store.flush();
    one.keeper.stop();
    const anew = new Service();
    const again = await machine(anew, one.storage, "key 2");
    expect([questions(again), anew.stored.size]).toEqual([[["first"]], 1]);
    again.keeper.stop();
    again.store.setOwner("Bo");
    const bo = createKeeper(anew, again.store, one.storage, 100);
    made.push(bo);
    bo.keepFor("key 3", "Bo");
    await rest();
    expect(anew.stored.size).toBe(1);
  });

  it("say where the service has no room", async () => {
    const service = new Service();
    service.full = true;
    const one = await machine(service);
    const { id } = one.store.getState().active;
    say(one, id, "first");
    await rest();
    expect([...one.keeper.refused()]).toEqual([id]);
    expect(questions(one)).toEqual([["first"]]);
  });
});
