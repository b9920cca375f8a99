import { beforeEach, describe, expect, it } from 'vitest'
import {
  addFile,
  isChanged,
  merged,
  nameFault,
  onSave,
  openFile,
  openWorkspace,
  removeFile,
  renameFile,
  resetAll,
  resetFile,
  restoreFile,
  save,
  setDiagnostics,
  setText,
  undoReset,
  useFiles,
  workspaceFiles,
} from './files-store.ts'

const FILES = { 'main.ts': 'let a = 1', 'guest.s': 'nop' }
const file = (path: string, id = 'w') => useFiles.getState().workspaces[id]?.files[path]

describe('files', () => {
  beforeEach(async () => {
    useFiles.setState({ workspaces: {}, current: null, problems: {} })
    await openWorkspace('w', FILES, { readOnly: ['guest.s'] })
  })

  it('begin with their originals, the first one open', () => {
    expect(workspaceFiles('w')).toEqual(FILES)
    expect(useFiles.getState().current).toBe('w')
    expect(useFiles.getState().workspaces['w']?.open).toBe('main.ts')
  })

  it('go back to the original, and the learner’s text stays reachable', () => {
    setText('w', 'main.ts', 'mine')
    expect(isChanged(file('main.ts')!)).toBe(true)
    resetFile('w', 'main.ts')
    expect(file('main.ts')).toMatchObject({ text: 'let a = 1', replaced: 'mine' })
    resetFile('w', 'main.ts')
    expect(file('main.ts')?.replaced).toBe('mine')
    undoReset('w', 'main.ts')
    expect(file('main.ts')?.text).toBe('mine')
  })

  it('that are read only do not change', () => {
    setText('w', 'guest.s', 'hvc #0')
    removeFile('w', 'guest.s')
    expect(workspaceFiles('w')['guest.s']).toBe('nop')
  })

  it('can be added, renamed and deleted; reset brings deleted originals back', () => {
    addFile('w', 'lib/print.s', 'ret')
    expect(useFiles.getState().workspaces['w']?.open).toBe('lib/print.s')
    renameFile('w', 'lib/print.s', 'lib/write.s')
    expect(Object.keys(workspaceFiles('w'))).toEqual(['main.ts', 'guest.s', 'lib/write.s'])
    setText('w', 'main.ts', 'mine')
    removeFile('w', 'main.ts')
    expect(workspaceFiles('w')['main.ts']).toBeUndefined()
    restoreFile('w', 'main.ts')
    expect(workspaceFiles('w')['main.ts']).toBe('mine')
    removeFile('w', 'main.ts')
    resetAll('w')
    expect(file('main.ts')).toMatchObject({ text: 'let a = 1', replaced: 'mine', removed: false })
  })

  it('refuse names that cannot be', () => {
    const workspace = useFiles.getState().workspaces['w']!
    expect(nameFault(workspace, '../up.s')).toContain('letters, digits')
    expect(nameFault(workspace, 'program.exe')).toContain('.ts for a script')
    expect(nameFault(workspace, 'main.ts')).toContain('already')
    expect(nameFault(workspace, 'lib/x.s')).toBeNull()
    expect(() => addFile('w', 'main.ts')).toThrow('already')
  })

  it('are handed to those who wait for a save', () => {
    const got: unknown[] = []
    const stop = onSave('w', files => got.push(files))
    setText('w', 'main.ts', 'two')
    save()
    stop()
    save()
    expect(got).toEqual([{ 'main.ts': 'two', 'guest.s': 'nop' }])
  })

  it('keep their problems by who found them', () => {
    const problem = { message: 'no', line: 1, column: 2, severity: 'error' as const }
    setDiagnostics('main.ts', [problem], 'run')
    setDiagnostics('main.ts', [], 'assembler')
    expect(useFiles.getState().problems['w/main.ts']).toEqual({ run: [problem], assembler: [] })
  })

  it('are the same after the workspace is opened again', async () => {
    setText('w', 'main.ts', 'mine')
    addFile('w', 'own.s', 'wfi')
    openFile('w', 'main.ts')
    await openWorkspace('w', { 'main.ts': 'a newer original', 'guest.s': 'newer' }, { readOnly: ['guest.s'] })
    expect(workspaceFiles('w')).toEqual({ 'main.ts': 'mine', 'guest.s': 'newer', 'own.s': 'wfi' })
    expect(file('main.ts')?.original).toBe('a newer original')
  })
})

describe('kept edits over originals', () => {
  const kept = (text: string, original: string | null) => ({ text, original, replaced: null, removed: false })

  it('an untouched file takes the new original', () => {
    const out = merged('w', { 'a.s': 'new' }, {}, { id: 'w', open: 'a.s', files: { 'a.s': kept('old', 'old') } })
    expect(out.files['a.s']?.text).toBe('new')
  })

  it('an edited file whose original is gone stays, an untouched one goes', () => {
    const out = merged(
      'w',
      {},
      {},
      { id: 'w', open: 'b.s', files: { 'a.s': kept('old', 'old'), 'b.s': kept('mine', 'old') } },
    )
    expect(Object.keys(out.files)).toEqual(['b.s'])
    expect(out.open).toBe('b.s')
  })
})
