/**
 * Stands in the package for `main.ts`, which lies beside it as one file: runs that from kept code. Both are CommonJS: an
 * `import` of one of Node's modules looks at all that it exports, and so loads what nobody asked for.
 */
import { join } from "node:path";
import { runKept } from "../system/kept-code.ts";

runKept(join(import.meta.dirname, "host.cjs"));
