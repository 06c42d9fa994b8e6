import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// Addresses are relative, so that the console works below any path of a reverse proxy.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    // Everything is a file of its own: the content security policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], env: { TZ: 'UTC' } },
  server: {
    proxy: {
      '/api': process.env.BACKUPX_MASTER_URL ?? 'http://127.0.0.1:8340',
    },
  },
})
