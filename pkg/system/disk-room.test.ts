import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { roomIn, takesBytes } from "./disk-room.ts";

test("room is found, and tried without leaving anything; a folder that is missing is on the disk of the one above", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-room-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const place of [folder, path.join(folder, "not", "there")]) {
    expect(roomIn(place).bytes).toBeGreaterThan(1_000_000);
    expect(await takesBytes(place, 2_500_000)).toBe(true);
  }
  expect(readdirSync(folder)).toEqual([]);
});
