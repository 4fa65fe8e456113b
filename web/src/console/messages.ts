/** Why a console is not, or no longer, there: title, explanation, what to do. */
export interface Notice {
  title: string;
  text: string;
  hint: string;
}

const ANEW = "Ask for a new console: each link opens one only once, and soon after it was made.";

export const STATUS = {
  connecting: "Connecting",
  password: "Waiting for the password",
  connected: "Connected",
  ended: "Disconnected",
  typing: (done: number, all: number) => `Typing, ${done} of ${all} characters`,
};

export const NO_TICKET: Notice = {
  title: "This page shows a server’s screen",
  text: "Its address must carry a ticket, and a ticket is used up once the page has been loaded.",
  hint: ANEW,
};

export const REFUSED: Notice = {
  title: "This link is not valid any more",
  text: "It was used already or it has expired, or you have too many consoles open.",
  hint: ANEW,
};

export const AWAY: Notice = {
  title: "The cloud cannot be reached",
  text: "Neither the console nor this page’s own address answers.",
  hint: "Check your network, then ask for a new console.",
};

export const BROKEN: Notice = {
  title: "The connection was lost",
  text: "The network between you and the cloud failed. The server itself is not affected.",
  hint: ANEW,
};

export const LEFT: Notice = {
  title: "Disconnected",
  text: "You closed this console. The server keeps running.",
  hint: ANEW,
};

const BY_CODE: Readonly<Record<number, Notice>> = {
  1000: {
    title: "The screen was closed",
    text: "The server was stopped or moved, or its screen was taken over.",
    hint: "If the server is running, ask for a new console.",
  },
  1001: { title: "The cloud’s console is restarting", text: "The server itself is not affected.", hint: ANEW },
  1011: {
    title: "The server’s screen cannot be reached",
    text: "The machine that runs the server does not answer, or the server has just stopped.",
    hint: "If the server is running, ask for a new console in a moment.",
  },
  4001: {
    title: "The server is no longer active",
    text: "It was stopped, deleted or suspended.",
    hint: "Start it, then ask for a new console.",
  },
  4003: {
    title: "Your access to this console has ended",
    text: "Your session was closed, or you may no longer use this server.",
    hint: "Log in again, then ask for a new console.",
  },
  4004: { title: "The password was wrong", text: "A console’s password is good for one attempt.", hint: ANEW },
  4008: { title: "This console was idle for too long", text: "Nothing happened on it.", hint: ANEW },
  4009: { title: "This console was open for too long", text: "Consoles are closed after a day.", hint: ANEW },
};

/** The notice for a connection that was open and got closed. */
export function closed(code: number, reason: string): Notice {
  return BY_CODE[code] ?? (reason ? { ...BROKEN, title: "The console was closed", text: reason } : BROKEN);
}
