import { create } from 'zustand'

/** What the editor is asking the learner. */
export interface CodeDialogState {
  readonly asks: 'new' | 'rename' | 'remove' | null
}

export const useCodeDialog = create<CodeDialogState>(() => ({ asks: null }))
