// Build of the web part. The server embeds `dist` and answers with `default-src 'self'`: nothing may be inlined,
// neither scripts nor styles nor small images as data addresses.
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

const browsers = ['chrome123', 'firefox121', 'safari17.5'];

export default defineConfig({
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false })],
  build: {
    target: browsers,
    cssTarget: browsers,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: { '/api': { target: process.env['MILLRACE_URL'] ?? 'http://127.0.0.1:8080', ws: true, changeOrigin: true } },
  },
});
