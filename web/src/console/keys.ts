/** Text as strokes on the keyboard of a PC with US layout. */

export interface Stroke {
  /** X11 keysym. */
  keysym: number;
  /** Name of the physical key as in KeyboardEvent.code; null if the layout lacks the character. */
  code: string | null;
  shift: boolean;
}

export interface Keyboard {
  sendKey(keysym: number, code: string | null, down: boolean): void;
}

const SHIFT = { keysym: 0xffe1, code: "ShiftLeft" };

/** Milliseconds between strokes: a PC's keyboard buffer holds few of them. */
export const PACE = 25;

const PLAIN = "`1234567890-=[]\\;',./ ";
const SHIFTED = "~!@#$%^&*()_+{}|:\"<>?";
const CODES = [
  "Backquote", "Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7", "Digit8", "Digit9", "Digit0",
  "Minus", "Equal", "BracketLeft", "BracketRight", "Backslash", "Semicolon", "Quote", "Comma", "Period", "Slash",
  "Space",
];
const CONTROL: Readonly<Record<string, { keysym: number; code: string }>> = {
  "\n": { keysym: 0xff0d, code: "Enter" },
  "\t": { keysym: 0xff09, code: "Tab" },
  "\b": { keysym: 0xff08, code: "Backspace" },
  "\u001b": { keysym: 0xff1b, code: "Escape" },
};

/** The strokes for one character; null for one that no key makes. */
export function stroke(character: string): Stroke | null {
  const control = CONTROL[character];
  if (control) return { ...control, shift: false };
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return null;
  const keysym = point < 0x100 ? point : 0x01000000 | point;
  if (/^[a-z]$/i.test(character)) {
    return { keysym, code: `Key${character.toUpperCase()}`, shift: character < "a" };
  }
  const plain = PLAIN.indexOf(character);
  const place = plain >= 0 ? plain : SHIFTED.indexOf(character);
  return { keysym, code: place >= 0 ? (CODES[place] ?? null) : null, shift: plain < 0 && place >= 0 };
}

/** Press and release the key for `character`. */
export function press(keyboard: Keyboard, character: string): void {
  const wanted = stroke(character);
  if (!wanted) return;
  if (wanted.shift) keyboard.sendKey(SHIFT.keysym, SHIFT.code, true);
  keyboard.sendKey(wanted.keysym, wanted.code, true);
  keyboard.sendKey(wanted.keysym, wanted.code, false);
  if (wanted.shift) keyboard.sendKey(SHIFT.keysym, SHIFT.code, false);
}

/** Type `text`, telling how far it got; stops when `going` says no. */
export async function type(
  keyboard: Keyboard,
  text: string,
  going: () => boolean,
  progress: (done: number, all: number) => void,
): Promise<void> {
  const characters = [...text.replaceAll("\r\n", "\n").replaceAll("\r", "\n")];
  for (const [index, character] of characters.entries()) {
    if (!going()) return;
    press(keyboard, character);
    progress(index + 1, characters.length);
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
}
