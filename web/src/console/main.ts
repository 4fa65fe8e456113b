import RFB from "@novnc/novnc";
import { type } from "./keys";
import { address, take, type Link } from "./link";
import { AWAY, closed, LEFT, NO_TICKET, REFUSED, STATUS, type Notice } from "./messages";

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found as T;
}

const screen = element("screen");
const buttons = ["cad", "type", "leave"].map((id) => element<HTMLButtonElement>(id));
const scale = element<HTMLButtonElement>("scale");
const full = element<HTMLButtonElement>("full");
const typing = element<HTMLDialogElement>("typing");
const asking = element<HTMLDialogElement>("asking");

type State = "connecting" | "password" | "connected" | "ended";
let state: State = "connecting";
let rfb: RFB | null = null;
let left = false;

function show(next: State): void {
  state = next;
  document.body.dataset["state"] = next;
  element("status").textContent = STATUS[next];
  for (const button of buttons) button.disabled = next !== "connected";
}

function named(name: string): void {
  element("name").textContent = name;
  document.title = `${name} – console`;
}

function end(notice: Notice): void {
  rfb = null;
  for (const dialog of [typing, asking]) dialog.close();
  show("ended");
  element("notice-title").textContent = notice.title;
  element("notice-text").textContent = notice.text;
  element("notice-hint").textContent = notice.hint;
  element("notice").hidden = false;
  screen.hidden = true;
  element("keys").hidden = true;
}

/** A websocket that never opened says nothing; ask whether anyone is there. */
async function whyNot(): Promise<Notice> {
  try {
    await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    return REFUSED;
  } catch {
    return AWAY;
  }
}

function connect(link: Link): void {
  element("notice").hidden = true;
  screen.hidden = false;
  element("keys").hidden = false;
  show("connecting");
  if (link.name) named(link.name);

  const socket = new WebSocket(address(location.href, link.ticket));
  let opened = false;
  left = false;
  socket.addEventListener("open", () => (opened = true));
  socket.addEventListener("close", (event) => {
    if (rfb !== ours) return;
    if (left) end(LEFT);
    else if (opened) end(closed(event.code, event.reason));
    else void whyNot().then((notice) => rfb === ours && end(notice));
  });

  const ours = new RFB(screen, socket, { shared: true });
  rfb = ours;
  ours.background = "transparent";
  ours.scaleViewport = scale.getAttribute("aria-pressed") === "true";
  ours.addEventListener("connect", () => {
    show("connected");
    const canvas = screen.querySelector("canvas");
    canvas?.setAttribute("tabindex", "0");
    canvas?.setAttribute("role", "img");
    canvas?.setAttribute("aria-label", "Screen of the server; keys go there while it has the focus");
    ours.focus();
  });
  ours.addEventListener("desktopname", (event) => {
    if (!link.name && event.detail.name) named(event.detail.name);
  });
  ours.addEventListener("credentialsrequired", () => {
    show("password");
    asking.showModal();
  });
}

function leave(): void {
  left = true;
  rfb?.disconnect();
}
element("leave").addEventListener("click", leave);

element("cad").addEventListener("click", () => {
  rfb?.sendCtrlAltDel();
  rfb?.focus();
});

scale.addEventListener("click", () => {
  const on = scale.getAttribute("aria-pressed") !== "true";
  scale.setAttribute("aria-pressed", String(on));
  if (rfb) rfb.scaleViewport = on;
});

full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", () => {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.body.requestFullscreen().then(() => rfb?.focus());
});
document.addEventListener("fullscreenchange", () =>
  full.setAttribute("aria-pressed", String(document.fullscreenElement !== null)),
);

element("type").addEventListener("click", () => typing.showModal());
element("typing-cancel").addEventListener("click", () => typing.close());
element("typing-form").addEventListener("submit", () => {
  const field = element<HTMLTextAreaElement>("typing-text");
  const text = field.value;
  field.value = "";
  const ours = rfb;
  if (!ours) return;
  const status = element("status");
  void type(
    ours,
    text,
    () => rfb === ours && state === "connected",
    (done, all) => {
      // not at every character: screen readers read each change aloud
      if (done % 200 === 0 && done < all) status.textContent = STATUS.typing(done, all);
    },
  ).then(() => {
    if (rfb !== ours) return;
    status.textContent = STATUS[state];
    ours.focus();
  });
});

element("asking-form").addEventListener("submit", () => {
  const field = element<HTMLInputElement>("asking-password");
  const password = field.value;
  field.value = "";
  show("connecting");
  rfb?.sendCredentials({ password });
});
asking.addEventListener("cancel", leave);

// noVNC keeps every key, Tab included: this is the way out for those who have no mouse
window.addEventListener(
  "keydown",
  (event) => {
    if (!(event.ctrlKey && event.altKey && event.shiftKey) || !rfb) return;
    for (const [keysym, code] of [
      [0xffe3, "ControlLeft"],
      [0xffe9, "AltLeft"],
      [0xffe1, "ShiftLeft"],
    ] as const) {
      rfb.sendKey(keysym, code, false);
    }
    rfb.blur();
    element("cad").focus();
    event.stopPropagation();
    event.preventDefault();
  },
  true,
);

function start(): void {
  const link = take(location, history);
  rfb?.disconnect();
  if (link) connect(link);
  else if (state !== "connected") end(NO_TICKET);
}

// a second link opened in the same tab changes only the fragment
window.addEventListener("hashchange", () => {
  if (location.hash) start();
});
start();
