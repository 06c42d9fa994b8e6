// The end-to-end tests: the built binary, a real agent, real servers, a real browser. `tests/run console` starts what they need.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.ts'],
    // Two cores carry a master, agents and a browser: one file after another.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 180_000,
    bail: 0,
  },
})
