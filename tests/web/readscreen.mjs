// Reads the text off a screen in a PC's text mode, exactly: each cell is looked
// up in the very font that the machine's video BIOS draws with.
import { readFileSync } from "node:fs";

const BIOSES = [
  "/usr/share/seabios/vgabios-stdvga.bin",
  "/usr/share/qemu/vgabios-stdvga.bin",
  "/usr/share/vgabios/vgabios.bin",
];
const LETTER_A = "000010386cc6c6fec6c6c6c600000000";

/** The 256 glyphs of 8 by 16 pixels as hex strings, by code page 437. */
export function loadFont(path) {
  for (const bios of path ? [path] : BIOSES) {
    let data;
    try {
      data = readFileSync(bios);
    } catch {
      continue;
    }
    const start = data.indexOf(Buffer.from(LETTER_A, "hex")) - 65 * 16;
    if (start < 0) continue;
    return Array.from({ length: 256 }, (_, code) =>
      data.subarray(start + code * 16, start + code * 16 + 16).toString("hex"),
    );
  }
  throw new Error("no video BIOS with an 8x16 font found: apt-get install seabios");
}

/**
 * Runs in the page: the lines of text on the canvas, and how the canvas looks.
 * Cells are 9 or 8 pixels wide; the reading with more known glyphs wins.  A cell
 * whose glyph is not known (the cursor is in it) reads as U+FFFD.
 */
export function readScreen(font) {
  const canvas = document.querySelector("#screen canvas");
  if (!canvas || !canvas.width || !canvas.height) return null;
  const { width, height } = canvas;
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
  const colours = new Set(pixels);
  const codes = new Map();
  font.forEach((glyph, code) => {
    if (!codes.has(glyph) && (code === 32 || (code > 32 && code < 127) || !/^0+$/.test(glyph))) {
      codes.set(glyph, code < 127 ? code : 0xb7);
    }
  });
  for (let code = 32; code < 127; code++) codes.set(font[code], code);
  codes.set("0".repeat(32), 32);

  function read(cell) {
    let known = 0;
    const lines = [];
    for (let top = 0; top + 16 <= height; top += 16) {
      let line = "";
      for (let left = 0; left + cell <= width; left += cell) {
        const counts = new Map();
        for (let y = 0; y < 16; y++) {
          for (let x = 0; x < 8; x++) {
            const colour = pixels[(top + y) * width + left + x];
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
          }
        }
        const [paper] = [...counts].sort((a, b) => b[1] - a[1])[0];
        const bits = (ink) => {
          let glyph = "";
          for (let y = 0; y < 16; y++) {
            let row = 0;
            for (let x = 0; x < 8; x++) {
              if ((pixels[(top + y) * width + left + x] !== paper) === ink) row |= 0x80 >> x;
            }
            glyph += row.toString(16).padStart(2, "0");
          }
          return glyph;
        };
        // a few glyphs cover more than half of their cell
        const code = codes.get(bits(true)) ?? codes.get(bits(false));
        if (code !== undefined && code !== 32) known++;
        line += code === undefined ? "\ufffd" : String.fromCharCode(code);
      }
      lines.push(line.trimEnd());
    }
    return { known, lines };
  }
  const [best] = [9, 8]
    .filter((cell) => width % cell === 0)
    .map(read)
    .sort((a, b) => b.known - a.known);
  const lines = best?.lines ?? [];
  while (lines.length && !lines[lines.length - 1]) lines.pop();
  return { width, height, colours: colours.size, text: lines.join("\n") };
}
