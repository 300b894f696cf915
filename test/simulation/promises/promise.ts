import { Broken } from "../broken.ts";

export type Hold = (holds: boolean, message: () => string) => void;

/** A check of one of the seven promises of design.md: a breach ends the run and says which it was. */
export function promise(number: 1 | 2 | 3 | 4 | 5 | 6 | 7, name: string): Hold {
  return (holds, message) => {
    if (!holds) throw new Broken(`Promise ${number}, ${name}: ${message()}`);
  };
}
