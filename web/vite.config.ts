// How the page is built, served while developing, and tested.
// The build lands where the service serves static files from: ../app/static (not committed).
import { readdir, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const API = "http://127.0.0.1:8000";
const API_PATHS = ["/ask", "/search", "/documents", "/collections", "/session", "/healthz", "/readyz"];

/** Packs the built files once, as hard as can be: the service sends .br and .gz to browsers that take them. */
function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      for (const name of await readdir(folder, { recursive: true })) {
        if (!/\.(html|js|css|svg)$/.test(name)) continue;
        const file = `${folder}/${name}`;
        const plain = await readFile(file);
        await writeFile(`${file}.br`, await promisify(brotliCompress)(plain));
        await writeFile(`${file}.gz`, await promisify(gzip)(plain, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  // Relative addresses: the page also works behind a proxy that serves it under a path.
  base: "./",
  build: {
    outDir: "../app/static",
    emptyOutDir: true,
    target: "es2022",
    // The page's Content-Security-Policy allows nothing inline, so no asset is turned into a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(API_PATHS.map((path) => [path, { target: API, changeOrigin: false }])),
  },
  test: {
    testTimeout: 60_000, // a busy machine is slow, and no fault
    environment: "node", // files that need a page say so in their first line
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
  },
});
