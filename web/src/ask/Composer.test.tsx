// @vitest-environment jsdom
import { createEvent, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useRef, useState } from "react";
import { describe, expect, it } from "vitest";
import { Composer } from "./Composer";

function Box({ sent, streaming = false }: { sent: string[]; streaming?: boolean }) {
  const [draft, setDraft] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  return (
    <Composer draft={draft} streaming={streaming} inputRef={input} onDraft={setDraft} onSend={(question) => sent.push(question)} onStop={() => sent.push("STOP")} />
  );
}

function type(text: string): HTMLTextAreaElement {
  const input = screen.getByTestId<HTMLTextAreaElement>("question-input");
  fireEvent.change(input, { target: { value: text } });
  return input;
}

describe("Composer", () => {
  it("sends with Enter and with the button, and breaks the line with Shift + Enter", async () => {
    const sent: string[] = [];
    render(<Box sent={sent} />);
    const user = userEvent.setup();
    const input = screen.getByTestId<HTMLTextAreaElement>("question-input");
    await user.type(input, "one{Shift>}{Enter}{/Shift}two");
    expect(sent).toEqual([]);
    expect(input.value).toBe("one\ntwo");
    await user.type(input, "{Enter}");
    await user.click(screen.getByTestId("send"));
    expect(sent).toEqual(["one\ntwo", "one\ntwo"]);
  });

  it("leaves Enter to an input method: Chrome's order", () => {
    const sent: string[] = [];
    render(<Box sent={sent} />);
    const input = type("zhong");
    fireEvent.compositionStart(input);
    fireEvent.keyDown(input, { key: "Enter", keyCode: 229, isComposing: true });
    fireEvent.compositionEnd(input);
    expect(sent).toEqual([]);
  });

  it("leaves Enter to an input method: Safari's order, where the composition has ended before", async () => {
    const sent: string[] = [];
    render(<Box sent={sent} />);
    const input = type("中文");
    fireEvent.compositionStart(input);
    fireEvent.compositionEnd(input);
    fireEvent.keyDown(input, { key: "Enter", keyCode: 13, isComposing: false });
    expect(sent).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    fireEvent.keyDown(input, { key: "Enter", keyCode: 229, isComposing: false });
    expect(sent).toEqual([]);
    const press = createEvent.keyDown(input, { key: "Enter", keyCode: 13 });
    fireEvent(input, press);
    expect(sent).toEqual(["中文"]);
    expect(press.defaultPrevented).toBe(true);
  });

  it("counts code points near the limit, and sends nothing over it", () => {
    const sent: string[] = [];
    render(<Box sent={sent} />);
    const send = screen.getByTestId<HTMLButtonElement>("send");
    expect(send.disabled).toBe(true);
    type("a".repeat(100));
    expect(screen.queryByTestId("counter")).toBeNull();
    const input = type("😀".repeat(8_000));
    expect(screen.getByTestId("counter").textContent).toBe("8,000 of 8,000 characters");
    expect(send.disabled).toBe(false);
    type("😀".repeat(8_001));
    expect(screen.getByTestId("counter").textContent).toBe("Too long by 1 character");
    expect(send.disabled).toBe(true);
    fireEvent.keyDown(input, { key: "Enter", keyCode: 13 });
    expect(sent).toEqual([]);
  });

  it("has a stop button in the send button's place while an answer streams, and sends nothing", () => {
    const sent: string[] = [];
    render(<Box sent={sent} streaming />);
    const input = type("next");
    fireEvent.keyDown(input, { key: "Enter", keyCode: 13 });
    expect(screen.queryByTestId("send")).toBeNull();
    fireEvent.click(screen.getByTestId("stop"));
    expect(sent).toEqual(["STOP"]);
  });
});
