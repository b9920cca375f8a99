/** `sandbox-worker.ts` and what it imports as one script; made by the plugin of that name in vite.config.ts. */
declare module 'virtual:script-sandbox' {
  const code: string
  export default code
}
