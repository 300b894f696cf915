/** Aliases that stand within what they stand for: YAML can say it, JSON can't. */
import { type Alias, type Document, isAlias, isNode, visit } from "yaml";

/** The first alias of `document` that lies in the node it names: its value would hold itself. */
export function cyclicAlias(document: Document): Alias | undefined {
  let found: Alias | undefined;
  visit(document, {
    Alias(_key, alias, path) {
      if (!path.some((node) => isNode(node) && !isAlias(node) && node.anchor === alias.source)) return;
      found = alias;
      return visit.BREAK;
    },
  });
  return found;
}
