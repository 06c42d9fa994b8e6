//! Tasks: what is backed up, from where to where, when, and how long it is kept.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::TaskId;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::record::Record;
use backupx_core::domain::retention::Decision;
use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::task::{Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};

impl App {
    /// Adds a task, enabled. Needs `admin`.
    pub async fn add_task(&self, principal: &Principal, spec: TaskSpec) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// Tasks by id.
    pub async fn tasks(&self, principal: &Principal, page: PageRequest) -> Result<Page<Task>> {
        Err(Error::internal("not built yet"))
    }

    /// One task.
    pub async fn task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// The task of this name.
    pub async fn task_named(&self, principal: &Principal, name: &str) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// Replaces what a task does. Needs `admin`.
    pub async fn update_task(
        &self,
        principal: &Principal,
        id: TaskId,
        version: i64,
        spec: TaskSpec,
    ) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// Turns the schedule on. Needs `operator`.
    pub async fn enable_task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// Turns the schedule off. Needs `operator`.
    pub async fn disable_task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        Err(Error::internal("not built yet"))
    }

    /// Removes a task; its records stay. Needs `admin`.
    pub async fn remove_task(&self, principal: &Principal, id: TaskId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }

    /// Runs a task now. `Conflict` (`task_already_queued`) while a run of it waits. Needs `operator`.
    pub async fn run_task(&self, principal: &Principal, id: TaskId) -> Result<Record> {
        Err(Error::internal("not built yet"))
    }

    /// When a schedule fires next: up to `count` (at most 50) instants, strictly later than now.
    pub async fn next_runs(
        &self,
        principal: &Principal,
        schedule: &Schedule,
        count: usize,
    ) -> Result<Vec<Timestamp>> {
        Err(Error::internal("not built yet"))
    }

    /// What retention would keep and remove of a task's copies now. Changes nothing.
    pub async fn retention_plan(
        &self,
        principal: &Principal,
        id: TaskId,
    ) -> Result<Vec<Decision>> {
        Err(Error::internal("not built yet"))
    }
}
