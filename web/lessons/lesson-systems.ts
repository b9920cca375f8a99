/**
 * mini-pKVM as the open lesson builds it, for whoever boots machines. Filled in by `lesson-machine.ts`; apart, so that
 * booting knows nothing of lessons.
 */
import type { BuildDiagnostic, SystemSources } from '../../engine/worker/build-protocol.ts'

export const lessonSystems: {
  /** What the next boot takes. @throws FileError when the lesson's Kconfig cannot be read */
  build: (() => Promise<SystemSources>) | null
  /** The sources did not assemble; the machine that was there stays. */
  failed: ((message: string, diagnostics: readonly BuildDiagnostic[]) => void) | null
} = { build: null, failed: null }
