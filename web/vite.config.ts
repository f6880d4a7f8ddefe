// Build of the web part. The server embeds `dist` and answers with `default-src 'self'`: nothing may be inlined,
// neither scripts nor styles nor small images as data addresses.
import { gzipSync } from 'node:zlib';

import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';

const browsers = ['chrome123', 'firefox121', 'safari17.5'];

// Compressed bytes a browser may have to fetch; the build fails beyond them.
const budget = { firstRoute: 45_000, lazyChunk: 60_000, everything: 400_000 };

type Chunk = { type: 'chunk'; fileName: string; name: string; code: string; isEntry: boolean; imports: string[] };
type Asset = { type: 'asset'; fileName: string; source: string | Uint8Array };

function sizeBudget(): Plugin {
  return {
    name: 'millrace-size-budget',
    writeBundle(_options, bundle) {
      const files = Object.values(bundle) as (Chunk | Asset)[];
      const packed = (file: Chunk | Asset): number => gzipSync(file.type === 'chunk' ? file.code : file.source).length;
      const needed = new Set<string>();
      const need = (name: string): void => {
        const file = files.find((one) => one.fileName === name);
        if (file?.type !== 'chunk' || needed.has(name)) return;
        needed.add(name);
        file.imports.forEach(need);
      };
      for (const file of files) {
        if (file.type === 'chunk' && (file.isEntry || file.name === 'today')) need(file.fileName);
        if (packed(file) > budget.lazyChunk) this.error(`${file.fileName}: ${packed(file)} bytes compressed, limit ${budget.lazyChunk}`);
      }
      const sum = (list: (Chunk | Asset)[]): number => list.reduce((bytes, file) => bytes + packed(file), 0);
      const first = sum(files.filter((file) => needed.has(file.fileName)));
      const all = sum(files);
      if (first > budget.firstRoute) this.error(`First route: ${first} bytes of script compressed, limit ${budget.firstRoute}`);
      if (all > budget.everything) this.error(`All files: ${all} bytes compressed, limit ${budget.everything}`);
      console.log(`first route ${first} bytes of script, everything ${all} bytes (compressed)`);
    },
  };
}

export default defineConfig({
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), sizeBudget()],
  build: {
    target: browsers,
    cssTarget: browsers,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': { target: process.env['MILLRACE_URL'] ?? 'http://127.0.0.1:8080', ws: true, changeOrigin: true } },
  },
});
