import '@fontsource-variable/source-sans-3/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import '@xterm/xterm/css/xterm.css'
import './styles/tokens.css'
import './styles/layout.css'
import './styles/controls.css'
import './styles/panels.css'
import './inspector/inspector.css'
import './inspector/walk-rail.css'
import './inspector/event-particulars.css'
import './inspector/page-contents.css'
import './inspector/event-list.css'
import './inspector/timeline.css'
import './inspector/vm-table.css'
import './styles/switches.css'
import './map/map.css'
import './hypercall/hypercall.css'
import './layout/workspace.css'
import './editor/editor.css'
import './script/trace.css'
import './system/system.css'
import './lessons/lessons.css'
import './lessons/lesson-list.css'
import './lessons/step-rail.css'
import './lessons/prose.css'
import './lessons/reading-view.css'
import './lessons/computer.css'
import './lessons/prompts.css'
import './lessons/check-list.css'
import './lessons/run-bar.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { tinykeys } from 'tinykeys'
import { exposeAutomation } from './automation.ts'
import { keyBindings } from './commands.ts'
import { Lab } from './components/lab.tsx'
import { watchViolations } from './inspector/violations.ts'
import { startLessons } from './lessons/start-lessons.ts'
import { findKernels } from './machine-control.ts'
import { useLab } from './store.ts'
import { startSystem } from './system/system-build.ts'
import { startSwitches } from './switches/switch-store.ts'
import { followSystemTheme } from './theme.ts'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

exposeAutomation()
tinykeys(window, keyBindings())
followSystemTheme(theme => useLab.setState({ theme }))
startSwitches()
watchViolations()
startSystem()
startLessons()
void findKernels()
createRoot(root).render(
  <StrictMode>
    <Lab />
  </StrictMode>,
)
