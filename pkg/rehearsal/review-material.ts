/** What a review's opening message shows. The reviewer judges by nothing else and by what its own calls returned. */
export interface ReviewMaterial {
  criteria: readonly { id: string; text: string }[];
  checks: readonly { name: string; result: string }[];
  diff: string;
}

const CRITERION = /^\s*(?:[-*]|\d+\.)?\s*(?:\[[ x]\]\s*)?`?\**\[?([A-Z]{1,4}-\d+)\]?\**`?\s*[:.)-]?\s*(.*)$/;
const CHECK = /^\s*[-*|]?\s*[`*]*(setup|lint|test|build)[`*]*\s*[:|]\s*[`*]*([A-Za-z]+)/;

/** Reads the sections `Criteria`, `Checks` and `Diff`; a missing one is empty. */
export function reviewMaterial(opening: string): ReviewMaterial {
  const sections = sectionsOf(opening);
  const find = (title: RegExp) => sections.find((section) => title.test(section.title))?.lines ?? [];
  return {
    criteria: outsideFences(find(/criteria/i)).flatMap((line) => {
      const [, id, text] = CRITERION.exec(line) ?? [];
      return id === undefined ? [] : [{ id, text: text ?? "" }];
    }),
    checks: outsideFences(find(/checks/i)).flatMap((line) => {
      const [, name, result] = CHECK.exec(line) ?? [];
      return name === undefined ? [] : [{ name, result: result ?? "" }];
    }),
    diff: find(/diff/i)
      .filter((line) => !/^`{3,}/.test(line))
      .join("\n")
      .trim(),
  };
}

/** An added line of a unified diff, with the file it is added to. */
export interface AddedLine {
  path: string;
  line: number;
  text: string;
}

export function addedLines(diff: string): readonly AddedLine[] {
  const added: AddedLine[] = [];
  let path = "";
  let line = 0;
  for (const text of diff.split("\n")) {
    const header = /^\+\+\+ (?:b\/)?(.+)$/.exec(text);
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(text);
    if (header?.[1] !== undefined) path = header[1];
    else if (hunk?.[1] !== undefined) line = Number(hunk[1]);
    else if (text.startsWith("+")) added.push({ path, line: line++, text: text.slice(1) });
    else if (text.startsWith(" ")) line += 1;
  }
  return added;
}

interface Section {
  title: string;
  lines: string[];
}

/** Without what is quoted: the output of a check may look like another check. */
function outsideFences(lines: readonly string[]): readonly string[] {
  let fence: string | undefined;
  return lines.filter((line) => {
    const wasOutside = fence === undefined;
    fence = fenceAfter(line, fence);
    return wasOutside && fence === undefined;
  });
}

/** Markdown sections. A heading inside a fence (a diff of a README) starts none. */
function sectionsOf(markdown: string): readonly Section[] {
  const sections: Section[] = [{ title: "", lines: [] }];
  let fence: string | undefined;
  for (const line of markdown.split("\n")) {
    const title = fence === undefined ? /^#{1,4} (.+)$/.exec(line)?.[1] : undefined;
    fence = fenceAfter(line, fence);
    if (title !== undefined) sections.push({ title, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

/** The fence that is open after `line`; undefined when none is. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const ticks = /^(`{3,})/.exec(line)?.[1];
  if (open === undefined || ticks === undefined) return open ?? ticks;
  return ticks.length >= open.length && line.trim() === ticks ? undefined : open;
}
