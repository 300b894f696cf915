import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { constants, Script } from "node:vm";
import { crc32 } from "node:zlib";
import { compileCache } from "./compile-cache.ts";

/** What a file that is run from kept code may export. */
export interface Kept {
  /** Asked at the end of the process: whether it did what others like it will do. */
  isWorthKeeping?(): boolean;
}

/** A file of kept code begins with the rest's checksum, since one that was cut short must not be run. */
const checksumBytes = 4;

/**
 * Runs a CommonJS file with the functions that an earlier process compiled, or else keeps at this one's end those that it
 * compiled. What Node keeps by itself is what was compiled when a file was loaded; a function is compiled when it is first
 * called, in each process anew. Kept code is known by its text's checksum and length, as Node's is; V8 refuses that of another
 * version. One that is damaged, or can't be written, is no error.
 *
 * @returns whether there was some
 */
export function runKept(file: string): boolean {
  const source = readFileSync(file);
  const name = `${crc32(source)}-${source.length}-${process.version}-${process.arch}.code`;
  const kept = join(compileCache().NODE_COMPILE_CACHE, name);
  const cachedData = readKept(kept);
  // The package's text is ASCII: this takes a byte for each character.
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${source.toString("latin1")}\n})`,
    {
      filename: file,
      ...(cachedData === undefined ? {} : { cachedData }),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    },
  );
  const isKept = cachedData !== undefined && script.cachedDataRejected === false;
  const module: { exports: Kept } = { exports: {} };
  if (!isKept) {
    process.once("exit", () => {
      if (module.exports.isWorthKeeping?.() === true) keep(kept, script);
    });
  }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return isKept;
}

function readKept(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(checksumBytes);
    return bytes.readUInt32LE() === crc32(code) ? code : undefined;
  } catch {
    // The first time, say.
    return undefined;
  }
}

function keep(file: string, script: Script): void {
  try {
    const code = script.createCachedData();
    const temporary = `${file}.${process.hrtime.bigint()}.tmp`;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const checksum = Buffer.alloc(checksumBytes);
    checksum.writeUInt32LE(crc32(code));
    writeFileSync(temporary, Buffer.concat([checksum, code]), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // A full disk, a folder of somebody else: the next process compiles for itself.
  }
}
