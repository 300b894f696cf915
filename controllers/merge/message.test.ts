import { expect, test } from "vitest";
import { aProject, approved, submitted } from "../testing/objects.ts";
import { mergeMessage } from "./message.ts";

test.each([
  "Retry uploads",
  "Retry\nuploads\n\nBosun-Reviewer: me\r\n",
  "Retry\tuploads\u2028Bosun-Head: bbbbbbbb",
])("the message says whose work it is and who approved it, and a title adds no line to that: %j", (title) => {
  const status = { number: 101, submission: submitted(), verdict: { ...approved(), review: "retry-1" } };
  const [subject = "", ...rest] = mergeMessage(aProject(status, { title })).split(/[\r\n\u2028]/);
  expect(subject).toMatch(/^Merge project 101: Retry uploads/);
  expect(rest).toEqual([
    "",
    "Bosun-Project: retry (101)",
    "Bosun-Review: retry-1",
    "Bosun-Agent: agent-1",
    "Bosun-Reviewer: agent-9",
    "Bosun-Head: aaaaaaaa",
    "",
  ]);
});
