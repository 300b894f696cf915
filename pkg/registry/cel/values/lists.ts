import { CelList, type Value } from "./value.ts";

/** A list made by an expression. */
export class ArrayList extends CelList {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  get size(): number {
    return this.items.length;
  }

  get(index: number): Value {
    return this.items[index] as Value;
  }
}

/** Two lists, one after the other. Nothing is copied: `+` costs the same for lists of any length. */
export class ConcatList extends CelList {
  readonly left: CelList;
  readonly right: CelList;
  readonly size: number;

  constructor(left: CelList, right: CelList) {
    super();
    this.left = left;
    this.right = right;
    this.size = left.size + right.size;
  }

  get(index: number): Value {
    let list: CelList = this;
    let at = index;
    while (list instanceof ConcatList) {
      if (at < list.left.size) {
        list = list.left;
      } else {
        at -= list.left.size;
        list = list.right;
      }
    }
    return list.get(at);
  }
}

/** What `map` and `filter` fill. Only a comprehension has it, and nobody else sees it before it is full. */
export class GrowingList extends CelList {
  readonly items: Value[] = [];

  get size(): number {
    return this.items.length;
  }

  get(index: number): Value {
    return this.items[index] as Value;
  }
}

/** The items of any list, lazily: some lists are far longer than what is read of them. */
export function* itemsOf(list: CelList): Iterable<Value> {
  const rest = [list];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next instanceof ConcatList) rest.push(next.right, next.left);
    else for (let i = 0; i < next.size; i++) yield next.get(i);
  }
}
