import { useEffect, useState } from 'react'
import type { PageDetail } from '../../engine/worker/inspection-protocol.ts'
import { useInspection } from '../inspection-store.ts'
import { useLab } from '../store.ts'
import { inspection, MachineGoneError } from './inspection-client.ts'

/** How often a page of a running machine is read again. */
const REFRESH_MS = 500

/**
 * The selected page as the machine has it now: read at once when another is selected or the machine stops, and again
 * and again while it runs. The old answer stays until the new one is there.
 */
export function usePageDetail(): { physical: number | null; detail: PageDetail | null } {
  const physical = useInspection(state => state.selectedPage)
  const running = useLab(state => state.machine.state === 'running' || state.machine.state === 'idle')
  const state = useLab(lab => lab.machine.state)
  // A machine at rest is read again when it has moved, as by a step; while it runs the clock decides.
  const instant = useLab(lab => (lab.machine.state === 'running' || lab.machine.state === 'idle' ? 0 : lab.machine.instructions))
  const [detail, setDetail] = useState<PageDetail | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: state and instant say that there is something new to read
  useEffect(() => {
    if (physical === null) {
      setDetail(null)
      return
    }
    let ended = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      try {
        const answer = await inspection.inspectPage(physical)
        if (ended) return
        setDetail(answer)
        if (running) timer = setTimeout(read, REFRESH_MS)
      } catch (error) {
        if (!(error instanceof MachineGoneError)) throw error
      }
    }
    void read()
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [physical, running, state, instant])
  return { physical, detail: detail !== null && detail.physical === physical ? detail : null }
}
