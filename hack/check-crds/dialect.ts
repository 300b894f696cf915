/** Words that kubectl, whose YAML is 1.1, takes for something else than YAML 1.2 does: `No` is false, `0755` is 493. */
import { isScalar, LineCounter, parseDocument, visit } from "yaml";

/** Each plain scalar of `text` that has another value in YAML 1.1, as `line N: what. What to do.` */
export function dialectProblems(text: string): string[] {
  const lines = new LineCounter();
  const ours = scalarsOf(text, "core", lines);
  const kubectls = scalarsOf(text, "yaml-1.1");
  return ours.flatMap(({ value, source, offset }, index) =>
    Object.is(kubectls[index]?.value, value)
      ? []
      : [`line ${lines.linePos(offset).line}: kubectl takes ${source} for something else. Put it in quotes.`],
  );
}

interface Found {
  value: unknown;
  source: string;
  offset: number;
}

function scalarsOf(text: string, schema: "core" | "yaml-1.1", lineCounter?: LineCounter): Found[] {
  const found: Found[] = [];
  const document = parseDocument(text, { schema, ...(lineCounter === undefined ? {} : { lineCounter }) });
  visit(document, (_, node) => {
    if (isScalar(node))
      found.push({ value: node.value, source: node.source ?? "", offset: node.range?.[0] ?? 0 });
  });
  return found;
}
