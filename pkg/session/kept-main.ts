/** Stands in the package for `main.ts`, which lies beside it as one file: runs that from kept code. */
import path from "node:path";
import { runKept } from "../system/kept-code.ts";

runKept(path.join(import.meta.dirname, "main.cjs"));
