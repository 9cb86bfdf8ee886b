//! The HTTP API of a peer, seen from outside.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use parlor::RoomId;
use parlor_http::ApiFile;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;

/// A peer on this computer answers a connection at once, or it is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// The longest call is a dial, which gives up after ten seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Talks to one peer, for one actor.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
    guest: Option<Guest>,
}

/// A guest to act for instead of the profile's own person.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub id: String,
    pub name: Option<String>,
}

/// What a call answered: the JSON as it came.
pub(crate) struct Answer(pub String);

impl Answer {
    /// As the type that the operation answers.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.0)
            .map_err(|error| Failure::Failed(format!("the peer speaks another version of the API: {error}")))
    }
}

impl Client {
    /// For the peer that wrote this file.
    pub(crate) fn new(api: &ApiFile, guest: Option<Guest>) -> Result<Self, Failure> {
        let unusable =
            |error: &dyn std::fmt::Display| Failure::Failed(format!("cannot use the API at {}: {error}", api.url));
        let base = Url::parse(&api.url).map_err(|error| unusable(&error))?;
        // The token must not travel through a proxy.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_WITHIN).build();
        Ok(Self { http: http.map_err(|error| unusable(&error))?, base, token: api.token.clone(), guest })
    }

    /// Whether the peer that wrote the file answers there. Its process may be dead, and the port somebody else's by now.
    pub(crate) async fn is_there(&self, peer_id: &str) -> bool {
        let Ok(request) = self.url(&["profile"]).and_then(|url| self.request(Method::GET, url)) else { return false };
        match request.timeout(CONNECT_WITHIN).send().await {
            Ok(answer) => answer.json::<Value>().await.is_ok_and(|status| status["peerId"] == peer_id),
            Err(_) => false,
        }
    }

    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.call(self.request(Method::GET, url)?).await
    }

    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Answer, Failure> {
        self.call(self.request(Method::POST, self.url(path)?)?.json(body)).await
    }

    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Answer, Failure> {
        self.call(self.request(Method::DELETE, self.url(path)?)?).await
    }

    /// The events of a room: the data of each, until the peer ends.
    pub(crate) async fn events(
        &self,
        room: &str,
    ) -> Result<impl Stream<Item = Result<String, Failure>> + use<>, Failure> {
        self.stream(self.url(&["rooms", room, "events"])?).await
    }

    /// What the peer was given in a room, as a file.
    pub(crate) async fn recording(&self, room: &str, values: bool) -> Result<Vec<u8>, Failure> {
        let mut url = self.url(&["rooms", room, "recording"])?;
        url.query_pairs_mut().append_pair("values", if values { "true" } else { "false" });
        let request = self.request(Method::GET, url)?.timeout(ANSWER_WITHIN);
        let answer = accepted(request.send().await.map_err(unreachable)?).await?;
        Ok(answer.bytes().await.map_err(unreachable)?.to_vec())
    }

    /// What the peer does: the data of each event, until the peer ends.
    pub(crate) async fn inspect(
        &self,
        room: Option<&str>,
    ) -> Result<impl Stream<Item = Result<String, Failure>> + use<>, Failure> {
        let mut url = self.url(&["inspect"])?;
        if let Some(room) = room {
            url.query_pairs_mut().append_pair("room", room);
        }
        self.stream(url).await
    }

    async fn stream(&self, url: Url) -> Result<impl Stream<Item = Result<String, Failure>> + use<>, Failure> {
        let answer = accepted(self.request(Method::GET, url)?.send().await.map_err(unreachable)?).await?;
        let lost = |error| {
            tracing::debug!(reason = %error, "the stream of events broke");
            Failure::Unreachable("the peer has stopped".into())
        };
        Ok(answer.bytes_stream().eventsource().map(move |event| event.map(|event| event.data).map_err(lost)))
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let answer = request.timeout(ANSWER_WITHIN).send().await.map_err(unreachable)?;
        Ok(Answer(accepted(answer).await?.text().await.map_err(unreachable)?))
    }

    fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Failure> {
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(Guest { id, name }) = &self.guest {
            request = request.header("Parlor-User", header(id)?);
            if let Some(name) = name {
                request = request.header("Parlor-User-Name", header(name)?);
            }
        }
        Ok(request)
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        path.iter().try_for_each(|segment| addressable(segment))?;
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => drop(segments.extend(path)),
            Err(()) => return Err(Failure::Failed(format!("{} is no address of an API", self.base))),
        }
        Ok(url)
    }
}

/// Refuses what is no name of a room. The API does so too, but some of these cannot even be asked: an address that was
/// written with them is another one.
pub(crate) fn addressable(name: &str) -> Result<(), Failure> {
    RoomId::new(name).map(drop).map_err(|error| Failure::Usage(format!("{error} ({})", error.code.as_str())))
}

/// Headers hold UTF-8 as it is; the API reads it so.
fn header(text: &str) -> Result<reqwest::header::HeaderValue, Failure> {
    let wrong = |_| Failure::Usage(format!("{text:?} has characters that a guest cannot be called by"));
    reqwest::header::HeaderValue::from_bytes(text.as_bytes()).map_err(wrong)
}

async fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    Err(Failure::from_answer(status.as_u16(), &answer.text().await.unwrap_or_default()))
}

fn unreachable(error: reqwest::Error) -> Failure {
    let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
    Failure::Unreachable(format!("the peer {what}: {}", error.without_url()))
}
