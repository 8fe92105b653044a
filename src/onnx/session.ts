import { InferenceSession } from 'onnxruntime-node';

/**
 * The runtime's memory patterns assume shapes that repeat; ours grow with every token, and each new shape would
 * leave a pattern behind for ever. Its spinning threads are kept: a step is a chain of very short kernels.
 */
export function openSession(graphPath: string, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(graphPath, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: 3,
  });
}
