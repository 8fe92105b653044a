import { defineConfig } from 'vite';

const server = 'http://localhost:3000';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // Small files would become data: URLs, which the page's content security policy lets through for images only.
    assetsInlineLimit: 0,
    // Every browser of the target knows module preload.
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: {
      '/v1': server,
      '/socket.io': { target: server, ws: true },
    },
  },
});
