/** What a caller needs to know of seedance-archiver; all of it is in proto/seedance/archiver/v1. */

export const TASK_QUEUE = 'seedance-archiver';

/** One task, one id: whoever starts a second lifecycle of it finds the first. */
export function lifecycleId(taskId: string, account = 'default'): string {
  return `video-task/${account}/${taskId}`;
}

/** Input of `VideoTaskLifecycle` and of `AwaitVideoTask`. */
export interface VideoRequest {
  task_id: string;
  account?: string;
  /** A lost video is told in the result, as every other ending. Without it, it is a failure. */
  report_only?: boolean;
}

/** `archived`, with the receipt, or one of the others, with why. */
export interface VideoResult {
  outcome: 'archived' | 'unsuccessful' | 'lost' | 'unknown';
  manifest?: {
    manifest_url: string;
    objects: { name: string; url: string; size_bytes: number; sha256: string }[];
  };
  reason?: string;
  message?: string;
}

/** The workflow, for its type. */
export type VideoTaskLifecycle = (request: VideoRequest) => Promise<VideoResult>;
