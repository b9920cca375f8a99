/** @returns the lab's initial RAM disk, assembled and packed here in the page */
export async function buildLabInitrd(): Promise<ArrayBuffer> {
  throw new Error('The lab’s init program is not part of this build.')
}
