import { defineConfig } from 'vitest/config';

// Pure modules run in plain Node; a test that needs a document names happy-dom in its first line.
export default defineConfig({
  test: { include: ['tests/**/*.test.{ts,tsx}'], environment: 'node' },
});
