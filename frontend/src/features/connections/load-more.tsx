"use client";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";

type LoadMoreProps = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };

export function LoadMore({ hasNextPage, isFetchingNextPage, fetchNextPage }: LoadMoreProps) {
  if (!hasNextPage) return null;
  return (
    <Button className="justify-self-center" disabled={isFetchingNextPage} onClick={() => fetchNextPage()}>
      {isFetchingNextPage && <Spinner />}
      Load more
    </Button>
  );
}
