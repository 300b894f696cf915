/** yaml-language-server as an editor runs it: a process that is spoken to over its standard input and output. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";

export interface Position {
  /** From 0. */
  line: number;
  character: number;
}

export interface Diagnostic {
  message: string;
  range: { start: Position; end: Position };
}

export interface Editor extends AsyncDisposable {
  /** Opens the file at `path` as `text` and gives what the server finds wrong with it. */
  open(path: string, text: string): Promise<readonly Diagnostic[]>;
  /** The labels that it would complete with at `position` of an open file. */
  complete(path: string, position: Position): Promise<readonly string[]>;
  /** What it tells about `position` of an open file, as Markdown; empty where it has nothing to tell. */
  hover(path: string, position: Position): Promise<string>;
}

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

const binary = path.resolve(
  import.meta.dirname,
  "../../node_modules/yaml-language-server/bin/yaml-language-server",
);

/**
 * An editor on the folder `root`.
 *
 * @param settings - `yaml.*` of its settings, such as `{ schemas: {...} }`; schemas from the network are always off
 */
export async function openEditor(root: string, settings: Record<string, unknown>): Promise<Editor> {
  const server = spawn(process.execPath, [binary, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const answers = new Map<number, PromiseWithResolvers<unknown>>();
  const diagnostics = new Map<string, PromiseWithResolvers<readonly Diagnostic[]>>();
  let lastId = 0;

  const send = (message: Message): void => write(server, { ...message });
  const request = async (method: string, params: unknown): Promise<unknown> => {
    lastId += 1;
    const answer = Promise.withResolvers<unknown>();
    answers.set(lastId, answer);
    send({ id: lastId, method, params });
    return await answer.promise;
  };
  readMessages(server, (message) => {
    if (message.method === undefined) {
      const answer = answers.get(message.id ?? 0);
      if (message.error === undefined) answer?.resolve(message.result);
      else answer?.reject(new Error(message.error.message));
    } else if (message.method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics: found } = message.params as { uri: string; diagnostics: Diagnostic[] };
      diagnostics.get(uri)?.resolve(found);
    } else if (message.id !== undefined) {
      send({ id: message.id, result: answerTo(message, settings) });
    }
  });

  const uri = pathToFileURL(root).href;
  await request("initialize", {
    processId: process.pid,
    rootUri: uri,
    workspaceFolders: [{ uri, name: path.basename(root) }],
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true },
      textDocument: { hover: { contentFormat: ["markdown"] }, completion: {} },
    },
  });
  send({ method: "initialized", params: {} });
  send({ method: "workspace/didChangeConfiguration", params: { settings: {} } });

  return {
    async open(file, text) {
      const found = Promise.withResolvers<readonly Diagnostic[]>();
      diagnostics.set(pathToFileURL(file).href, found);
      send({
        method: "textDocument/didOpen",
        params: {
          textDocument: { uri: pathToFileURL(file).href, languageId: "yaml", version: 1, text },
        },
      });
      return await found.promise;
    },
    async complete(file, position) {
      const textDocument = { uri: pathToFileURL(file).href };
      const found = await request("textDocument/completion", { textDocument, position });
      const items = Array.isArray(found) ? found : ((found as { items?: unknown[] } | null)?.items ?? []);
      return (items as { label: string }[]).map(({ label }) => label);
    },
    async hover(file, position) {
      const textDocument = { uri: pathToFileURL(file).href };
      const found = await request("textDocument/hover", { textDocument, position });
      return (found as { contents: { value: string } } | null)?.contents.value ?? "";
    },
    async [Symbol.asyncDispose]() {
      await request("shutdown", null);
      send({ method: "exit" });
      await ended;
    },
  };
}

function answerTo({ method, params }: Message, settings: Record<string, unknown>): unknown {
  if (method !== "workspace/configuration") return null;
  const yaml = { validate: true, hover: true, completion: true, ...settings, schemaStore: { enable: false } };
  const { items } = params as { items: { section?: string }[] };
  return items.map(({ section }) => (section === "yaml" ? yaml : null));
}

function write({ stdin }: ChildProcess, message: Message): void {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function readMessages({ stdout }: ChildProcess, take: (message: Message) => void): void {
  let buffered = Buffer.alloc(0);
  stdout?.on("data", (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes]);
    for (;;) {
      const headEnd = buffered.indexOf("\r\n\r\n");
      if (headEnd === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(buffered.toString("latin1", 0, headEnd))?.[1]);
      const end = headEnd + 4 + length;
      if (buffered.length < end) return;
      take(JSON.parse(buffered.toString("utf8", headEnd + 4, end)) as Message);
      buffered = buffered.subarray(end);
    }
  });
}
