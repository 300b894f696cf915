/** What a server shows to its clients, and they to it, kept in a folder that only its owner can read. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Tokens } from "../../../pkg/apiserver/auth/authenticate.ts";
import {
  type Certified,
  isDue,
  isServerCertificate,
  makeAuthority,
  makeServerCertificate,
  parseCertified,
} from "../../../pkg/apiserver/certificates.ts";
import { nodeFileSystem as fs } from "../../../pkg/storage/node-file-system.ts";
import { replaceFile } from "../../../pkg/storage/replace-file.ts";

export interface Credentials {
  readonly authority: Certified;
  readonly server: Certified;
  readonly tokens: Tokens;
}

/**
 * The credentials in `folder`; what is missing, damaged, due or not for `host` is made anew. Tokens are kept for good:
 * removing their file makes a new one at the next start.
 *
 * @param host - where the server listens, beside the names of loopback
 */
export async function keepCredentials(folder: string, host: string, nowMs: number): Promise<Credentials> {
  await fs.makeDirectory(folder, 0o700);
  const kept = await readCertified(path.join(folder, "ca.pem"));
  const authority =
    kept !== undefined && !isDue(kept, nowMs)
      ? kept
      : await written(path.join(folder, "ca.pem"), await makeAuthority(nowMs));
  return {
    authority,
    server: await keepServerCertificate(folder, host, authority, nowMs),
    tokens: {
      admin: await keepToken(path.join(folder, "token")),
      reader: await keepToken(path.join(folder, "token-read-only")),
    },
  };
}

async function keepServerCertificate(
  folder: string,
  host: string,
  authority: Certified,
  nowMs: number,
): Promise<Certified> {
  const names = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  const file = path.join(folder, "server.pem");
  const kept = await readCertified(file);
  if (kept !== undefined && !isDue(kept, nowMs) && isServerCertificate(kept, authority, names)) return kept;
  return await written(file, await makeServerCertificate(authority, names, nowMs));
}

/** 256 random bits in hexadecimal. */
async function keepToken(file: string): Promise<string> {
  const kept = (await fs.read(file))?.toString("utf8").trim() ?? "";
  if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  const token = randomBytes(32).toString("hex");
  await replaceFile(fs, file, [Buffer.from(`${token}\n`)], 0o600);
  return token;
}

/** Key and certificate share a file, so that no crash can part them. */
async function written(file: string, certified: Certified): Promise<Certified> {
  await replaceFile(fs, file, [Buffer.from(certified.key + certified.certificate)], 0o600);
  return certified;
}

async function readCertified(file: string): Promise<Certified | undefined> {
  return parseCertified((await fs.read(file))?.toString("utf8") ?? "");
}
