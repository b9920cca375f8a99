import type { Command } from '../commands.ts'
import { useInspection } from '../inspection-store.ts'
import { heightenLowerRow, useLayout } from '../layout/layout-store.ts'
import { argumentNames, forgetCalls, issue, putSelectedPage, takesPage, useHypercall } from './hypercall-store.ts'

export const CALL_BOX = 'hypercall-name'
/** Height of the row below in which the form has room. */
const ROOM_PERCENT = 38

/** Commands of the hypercall panel. */
export const HYPERCALL_COMMANDS = {
  choose: {
    id: 'hypercall.choose',
    title: 'Choose a hypercall to make by hand…',
    key: 'Alt+Shift+KeyV',
    keyLabel: 'Alt ⇧ V',
    enabled: () => true,
    run: () => {
      useLayout.setState({ dock: 'hypercall' })
      heightenLowerRow(ROOM_PERCENT)
      requestAnimationFrame(() => {
        const box = document.getElementById(CALL_BOX)
        box?.focus()
        box?.scrollIntoView({ block: 'nearest' })
      })
    },
  },
  issue: {
    id: 'hypercall.issue',
    title: 'Issue the hypercall',
    enabled: state => state.booted !== null && !useHypercall.getState().busy,
    run: () => void issue(),
  },
  selectedPage: {
    id: 'hypercall.selectedPage',
    title: 'Put the selected page into the hypercall',
    enabled: () =>
      useInspection.getState().selectedPage !== null &&
      argumentNames(useHypercall.getState()).some(name => takesPage(name) !== null),
    run: () => void putSelectedPage(),
  },
  clear: {
    id: 'hypercall.clear',
    title: 'Empty the list of hypercalls made by hand',
    enabled: () => useHypercall.getState().past.length > 0,
    run: forgetCalls,
  },
} satisfies Record<string, Command>
