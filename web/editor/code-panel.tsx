import { lazy, Suspense } from 'react'
import { useLayout } from '../layout/layout-store.ts'

/** The editor is several megabytes: it is fetched when code is first opened, and stays. */
const Workbench = lazy(() => import('./workbench.tsx'))

export function CodePanel() {
  const opened = useLayout(state => state.codeOpened)
  if (!opened) return null
  return (
    <Suspense fallback={<p className="code-loading quiet">Loading the editor…</p>}>
      <Workbench />
    </Suspense>
  )
}
