/** The program that the lab's machines start with, an ELF executable; made by the plugin of that name in vite.config.ts. */
declare module 'virtual:init-program' {
  const program: Uint8Array
  export default program
}
