import { defineConfig } from "vite";

// One page per entry.  Links are relative, so the daemon may serve the result
// below any path.  Nothing is inlined: the content security policy allows
// neither inline scripts and styles nor data: fonts.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022", // noVNC awaits at top level
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["index.html", "console.html"] },
  },
});
