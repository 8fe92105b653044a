import { defineConfig } from 'vitest/config';

/** One project per layer (test/README.md); `forks`, because the ONNX runtime must not be torn down inside a worker thread. */
const project = (
  name: string,
  include: string[],
  extra: { testTimeout?: number; fileParallelism?: boolean } = {},
) => ({
  test: { name, include, pool: 'forks' as const, testTimeout: 20_000, hookTimeout: 120_000, ...extra },
});

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/types/**/*.test.ts', 'test/*.test.ts'], {
        testTimeout: 60_000,
      }),
      project('contract', ['test/contract/**/*.test.ts'], { testTimeout: 60_000 }),
      project('simulation', ['test/simulation/**/*.test.ts'], { testTimeout: 120_000 }),
      project('integration', ['test/integration/**/*.test.ts'], {
        testTimeout: 60_000,
        fileParallelism: false,
      }),
      project('model', ['test/model/**/*.test.ts'], { testTimeout: 600_000, fileParallelism: false }),
      project('e2e', ['test/e2e/**/*.test.ts'], { testTimeout: 180_000, fileParallelism: false }),
    ],
  },
});
