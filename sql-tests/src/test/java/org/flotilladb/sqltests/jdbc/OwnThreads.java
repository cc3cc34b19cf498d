package org.flotilladb.sqltests.jdbc;

import java.util.concurrent.Executor;

/** A thread for each task: the common pool has too few of them for tasks that wait for one another. */
final class OwnThreads implements Executor {
    static final Executor INSTANCE = new OwnThreads();

    private OwnThreads() {}

    @Override
    public void execute(Runnable task) {
        Thread thread = new Thread(task, "test task");
        thread.setDaemon(true);
        thread.start();
    }
}
