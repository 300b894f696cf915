/** People's texts, each parsed once for all that is asked of it in a row. */
import { type ParsedYaml, parseYaml } from "../../encoding/yaml.ts";

/** What `parseYaml` makes of a text. Nobody changes it: others may have it too. */
export type ReadYaml = (text: string) => ParsedYaml;

/** A text is read, changed, and the new one is read again: two at a time. */
const textsMaxDefault = 2;

/** `parseYaml`, which still knows the last texts that it was asked for; the one asked for longest ago is forgotten first. */
export function rememberedYaml(textsMax = textsMaxDefault): ReadYaml {
  const known = new Map<string, ParsedYaml>();
  return (text) => {
    const parsed = known.get(text) ?? parseYaml(text);
    known.delete(text);
    known.set(text, parsed);
    if (known.size > textsMax) known.delete(known.keys().next().value ?? "");
    return parsed;
  };
}
