import { type FieldError, invalid, tooLong } from "../field-error.ts";

/** How many bytes the name of a field manager may have. */
const maxNameBytes = 128;
/** What nearly all names are: at most as many characters, all of ASCII. */
const plainName = /^[\x20-\x7e]{0,128}$/;

/** What is wrong with `name` as a writer's name at `field`; empty when nothing is. */
export function managerNameFaults(name: string, field: string): readonly FieldError[] {
  if (plainName.test(name)) return [];
  const faults: FieldError[] = [];
  if (Buffer.byteLength(name) > maxNameBytes) faults.push(tooLong(field, maxNameBytes));
  let position = 0;
  for (const character of name) {
    if (!isPrintable(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      const shown = /\p{C}|\p{Z}/u.test(character) && character !== "\u00a0" ? "" : ` '${character}'`;
      faults.push(invalid(field, name, `invalid character U+${code}${shown} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
  return faults;
}

/** The name of a writer that gives none: what its User-Agent begins with. Empty when that says nothing. */
export function managerOfUserAgent(userAgent: string): string {
  let name = "";
  let bytes = 0;
  for (const character of userAgent.split("/", 1)[0] ?? "") {
    if (!isPrintable(character)) continue;
    bytes += Buffer.byteLength(character);
    if (bytes > maxNameBytes) break;
    name += character;
  }
  return name;
}

/** As Go has it: of blanks only the one of ASCII. */
function isPrintable(character: string): boolean {
  return character === " " || !/[\p{C}\p{Z}]/u.test(character);
}
