import { Component, lazy, type ReactNode, Suspense } from 'react'
import { useLayout } from '../layout/layout-store.ts'

/** The editor is several megabytes: it is fetched when code is first opened, and stays. */
const Workbench = lazy(() => import('./workbench.tsx'))

export function CodePanel() {
  const opened = useLayout(state => state.codeOpened)
  if (!opened) return null
  return (
    <Fallible>
      <Suspense fallback={<p className="code-loading quiet">Loading the editor…</p>}>
        <Workbench />
      </Suspense>
    </Fallible>
  )
}

/** Where the editor cannot be loaded, the rest of the page goes on. */
class Fallible extends Component<{ children: ReactNode }, { fault: string | null }> {
  override state = { fault: null }

  static getDerivedStateFromError(error: unknown) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }

  override render() {
    if (this.state.fault === null) return this.props.children
    return (
      <p className="code-loading" role="alert">
        The editor could not be started: {this.state.fault}. Load the page again; your files are kept.
      </p>
    )
  }
}
